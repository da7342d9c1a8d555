package WormBase::Web::Controller::Root;

use Moose;
use namespace::autoclean;
use Scalar::Util qw(blessed);

BEGIN { extends 'Catalyst::Controller' }

__PACKAGE__->config(namespace => '');

# The front page asks no database: it says that the webapp itself is there.
sub index : Path : Args(0) {
    my ($self, $c) = @_;
    $c->stash(template => 'index.html', version => $c->VERSION);
}

sub default : Path {
    my ($self, $c) = @_;
    $c->detach('missing', ['There is no such page.']);
}

sub missing : Private {
    my ($self, $c, $sentence) = @_;
    _tell($c, 404, $sentence);
}

# A database that does not answer is told in a sentence; anything else is a fault of ours.
sub end : Private {
    my ($self, $c) = @_;
    my ($error) = @{ $c->error };
    if ($error) {
        $c->log->error("$error");
        $c->clear_errors;
        my $known = blessed $error && $error->isa('WormBase::API::Unavailable');
        _tell($c, $known ? (503, "$error") : (500, 'Something is wrong with this page.'));
    }
    $c->forward($c->view('HTML')) unless $c->res->has_body;
}

sub _tell {
    my ($c, $status, $sentence) = @_;
    $c->res->status($status);
    $c->res->content_type('text/plain; charset=utf-8');
    $c->res->body("$sentence\n");
}

1;
