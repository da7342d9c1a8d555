package WormBase::API::AceDB;

# What the running AceDB server says. A server that was restarted has closed its
# connections, so no answer can come from an older one.

use Moose;
use namespace::autoclean;
use Ace;
use Time::HiRes qw(setitimer ITIMER_REAL);
use WormBase::API::Unavailable;

has host    => (is => 'ro', default => 'localhost');
has port    => (is => 'ro', default => 2005);
has _server => (is => 'rw');

sub server_name { return 'AceDB' }

# The build that the server serves: the NAME in its database's wspec.
sub build {
    my ($self) = @_;
    my ($name) = $self->ask(sub { $_[0]->raw_query('status') =~ /^\W*Name:\s+(\S+)/m });
    return $name // WormBase::API::Unavailable->throw('AceDB does not say which build it serves');
}

# Name and description of a gene, or nothing if there is no such gene.
sub gene {
    my ($self, $id) = @_;
    return $self->ask(sub {
        my $gene = $_[0]->fetch(-class => 'Gene', -name => $id, -fill => 1) or return;
        return { map { $_ => _text($gene, $_) }
              qw(Public_name Sequence_name Concise_description) };
    });
}

# The alarm repeats, since AcePerl reads from the server again while it is destroyed.
sub attempt {
    my ($self, $question) = @_;
    local $SIG{ALRM} = sub { die 'no answer within ' . $self->seconds . " s\n" };
    my @answer = eval {
        setitimer(ITIMER_REAL, $self->seconds, 0.2);
        $self->_said($question);
    };
    my $error = $@;
    eval { $self->_drop if $error };
    setitimer(ITIMER_REAL, 0);
    die $error if $error;
    return @answer;
}

with 'WormBase::API::Asking';

# A broken connection gives an empty answer and no error, which must not be taken for "no
# such gene".
sub _said {
    my ($self, $question) = @_;
    $self->_server($self->_connect) unless $self->_server;
    my @said = $question->($self->_server);
    die Ace->error . "\n" if $self->_server->db->status == STATUS_ERROR;
    return @said;
}

sub _connect {
    my ($self) = @_;
    my $server = Ace->connect(-host => $self->host, -port => $self->port);
    return $server // die Ace->error . "\n";
}

# AcePerl keeps every connection in a table of its own and says goodbye on each.
sub _drop {
    my ($self) = @_;
    my $server = $self->_server or return;
    $self->_server(undef);
    Ace->name2db("$server", undef);
    my $socket = $server->db && $server->db->socket;
    shutdown $socket, 2 if $socket;
}

sub _text {
    my ($gene, $tag) = @_;
    my $value = $gene->get($tag, 1);
    return defined $value ? "$value" : '';
}

1;
