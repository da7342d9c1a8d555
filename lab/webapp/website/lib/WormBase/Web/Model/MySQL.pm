package WormBase::Web::Model::MySQL;

# What the running MySQL server says. A database is asked by its live name, or by the
# directory that WORMBASE_MYSQL_DIRECTORIES names for it (a release that is tried out).

use Moose;
use namespace::autoclean;
use DBI;
use JSON::MaybeXS qw(decode_json);

extends 'Catalyst::Model';

my @SYSTEM = qw(information_schema mysql performance_schema sys);

has directories => (is => 'ro', default => sub { _directories() });
has _server     => (is => 'rw');

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

with 'WormBase::Asking';

sub _one_build {
    my ($self, $server, $name) = @_;
    my $table = $server->quote_identifier($self->_directory($name)) . '.meta';
    return 'SELECT ' . $server->quote($name) . ", value FROM $table WHERE name = 'build'";
}

sub _names {
    my ($self, $server) = @_;
    my %named = map { $_ => 1 } @{ $server->selectcol_arrayref('SHOW DATABASES') },
        keys %{ $self->directories };
    delete @named{@SYSTEM};
    return sort grep { !/_WS\d+\z/ && !/^#/ } keys %named;
}

sub _directory {
    my ($self, $name) = @_;
    return $self->directories->{$name} // $name;
}

sub _directories {
    my $given = $ENV{WORMBASE_MYSQL_DIRECTORIES};
    return $given ? decode_json($given) : {};
}

sub _connect {
    my ($self) = @_;
    my $socket = $ENV{WORMBASE_MYSQL_SOCKET} // '/run/mysqld/mysqld.sock';
    my %limits = map { ("mariadb_${_}_timeout" => $self->seconds) } qw(connect read write);
    return DBI->connect("dbi:MariaDB:mariadb_socket=$socket", 'wormbase', undef,
        { RaiseError => 1, PrintError => 0, %limits });
}

1;
