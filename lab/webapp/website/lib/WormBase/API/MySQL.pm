package WormBase::API::MySQL;

# What the running MySQL server says. A database is asked by its own name, unless the
# configuration names another one under data_sources.

use Moose;
use namespace::autoclean;
use DBI;

my @SYSTEM = qw(information_schema mysql performance_schema sys);

has user         => (is => 'ro', default => 'wormbase');
has socket       => (is => 'ro', default => '/run/mysqld/mysqld.sock');
has data_sources => (is => 'ro', default => sub { {} });
has _server      => (is => 'rw');

sub server_name { return 'MySQL' }

# The build of every database: {c_elegans => 'WS221', ...}, by one query over all of them.
sub builds {
    my ($self) = @_;
    return $self->ask(sub {
        my ($server) = @_;
        my $each = join ' UNION ALL ', map { $self->_one_build($server, $_) } $self->_names($server);
        return {} unless $each;
        return { map { @$_ } @{ $server->selectall_arrayref($each) } };
    });
}

# What lies on the genome for a gene, in order.
sub features {
    my ($self, $gene) = @_;
    return $self->ask(sub {
        my ($server) = @_;
        my $table = $server->quote_identifier($self->_directory('c_elegans')) . '.features';
        return $server->selectall_arrayref(
            'SELECT type, chromosome, start, stop, strand, note'
                . " FROM $table WHERE gene = ? ORDER BY start, stop, type",
            { Slice => {} }, $gene
        );
    });
}

sub attempt {
    my ($self, $question) = @_;
    my @answer = eval {
        $self->_server($self->_connect) unless $self->_server;
        $question->($self->_server);
    };
    return @answer unless $@;
    $self->_server(undef);
    die +(DBI->errstr // $@) . "\n";
}

with 'WormBase::API::Asking';

sub _one_build {
    my ($self, $server, $name) = @_;
    my $table = $server->quote_identifier($self->_directory($name)) . '.meta';
    return 'SELECT ' . $server->quote($name) . ", value FROM $table WHERE name = 'build'";
}

sub _names {
    my ($self, $server) = @_;
    my %named = map { $_ => 1 } @{ $server->selectcol_arrayref('SHOW DATABASES') },
        keys %{ $self->data_sources };
    delete @named{@SYSTEM};
    return sort grep { !/_WS\d+\z/ && !/^#/ } keys %named;
}

sub _directory {
    my ($self, $name) = @_;
    return $self->data_sources->{$name} // $name;
}

sub _connect {
    my ($self) = @_;
    my %limits = map { ("mariadb_${_}_timeout" => $self->seconds) } qw(connect read write);
    return DBI->connect('dbi:MariaDB:mariadb_socket=' . $self->socket, $self->user, undef,
        { RaiseError => 1, PrintError => 0, %limits });
}

1;
