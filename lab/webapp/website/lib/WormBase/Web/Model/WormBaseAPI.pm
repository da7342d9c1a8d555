package WormBase::Web::Model::WormBaseAPI;

# The databases of the site, as the configuration describes them. Each process of the server
# makes its own connections, at the first question.

use Moose;
use namespace::autoclean;
use WormBase::API::AceDB;
use WormBase::API::MySQL;

extends 'Catalyst::Model';

has args  => (is => 'ro', default => sub { {} });
has acedb => (is => 'ro', lazy => 1, default => sub { WormBase::API::AceDB->new($_[0]->_about('acedb')) });
has mysql => (is => 'ro', lazy => 1, default => sub { WormBase::API::MySQL->new($_[0]->_about('mysql')) });

sub _about {
    my ($self, $database) = @_;
    return %{ $self->args->{database}{$database} // {} };
}

1;
