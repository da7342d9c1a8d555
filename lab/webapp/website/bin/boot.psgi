# Loads the release that this file's path leads to at this moment: production is a
# symlink, and whatever is started after a go-live has to be the new release.

use strict;
use warnings;
use Cwd qw(realpath);
use File::Basename qw(dirname);

my $home;

BEGIN {
    $home = dirname(dirname(realpath(__FILE__)));
    unshift @INC, "$home/lib", "$home/extlib/lib/perl5";
    $ENV{WORMBASE_WEB_HOME} = $home;
    chdir $home or die "$home: $!";
}

use WormBase::Web;

my $app = WormBase::Web->psgi_app;

# Each release writes its own log; until here what is said goes to the starter's log.
open STDERR, '>>', "$home/logs/error.log" or warn "$home/logs/error.log: $!";

$app;
