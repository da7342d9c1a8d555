package WormBase::API::Unavailable;

# A database that does not answer, as a sentence that the reader of a page is shown.

use strict;
use warnings;
use overload '""' => sub { $_[0]{sentence} }, fallback => 1;

sub throw {
    my ($class, $sentence) = @_;
    $sentence =~ s/(?:\s+at \S+ line \d+\.?)?\s*\z//;
    die bless { sentence => $sentence }, $class;
}

1;
