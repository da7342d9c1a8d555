package WormBase::Release;

# Which release this code is: its directory's name and its VERSION.txt.

use strict;
use warnings;
use Cwd qw(realpath);
use File::Basename qw(basename dirname);

my $home = dirname(dirname(dirname(realpath(__FILE__))));
my %version = _version("$home/VERSION.txt");

sub home     { return $home }
sub name     { return basename($home) }
sub build    { return $version{DATABASE_VERSION} // '' }
sub revision { return ($version{CHANGESET} // 0) + 0 }

# A checkout that was never made a release has no VERSION.txt.
sub _version {
    my ($file) = @_;
    open my $handle, '<', $file or return;
    return map { chomp; split /=/, $_, 2 } <$handle>;
}

1;
