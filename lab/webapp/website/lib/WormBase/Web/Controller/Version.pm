package WormBase::Web::Controller::Version;

use Moose;
use namespace::autoclean;
use JSON::MaybeXS;
use POSIX ();
use WormBase::Release;

BEGIN { extends 'Catalyst::Controller' }

my $json = JSON::MaybeXS->new(canonical => 1, utf8 => 1);

# What the running servers of this node serve at this moment.
sub version : Path : Args(0) {
    my ($self, $c) = @_;
    my %answer = (
        node     => (POSIX::uname())[1],
        release  => WormBase::Release::name(),
        webapp   => $c->VERSION,
        revision => WormBase::Release::revision(),
        acedb    => $c->model('WormBaseAPI')->acedb->build,
        mysql    => $c->model('WormBaseAPI')->mysql->builds,
    );
    $c->res->content_type('application/json');
    $c->res->body($json->encode(\%answer));
}

1;
