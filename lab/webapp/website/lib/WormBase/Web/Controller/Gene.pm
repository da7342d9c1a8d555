package WormBase::Web::Controller::Gene;

use Moose;
use namespace::autoclean;

BEGIN { extends 'Catalyst::Controller' }

# A gene's page: what it is called from AceDB, where it lies from MySQL.
sub page : Path : Args(1) {
    my ($self, $c, $id) = @_;
    my $gene = $id =~ /\AWBGene[0-9]{8}\z/ && $c->model('WormBaseAPI')->acedb->gene($id);
    $c->detach('/missing', ['There is no such gene.']) unless $gene;
    $c->stash(
        template    => 'gene.html',
        id          => $id,
        name        => $gene->{Public_name} || $gene->{Sequence_name} || $id,
        description => $gene->{Concise_description},
        build       => $c->model('WormBaseAPI')->acedb->build,
        features    => $c->model('WormBaseAPI')->mysql->features($id),
    );
}

1;
