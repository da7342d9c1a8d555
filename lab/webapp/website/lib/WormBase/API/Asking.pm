package WormBase::API::Asking;

# Asking a database server: one connection a worker, kept, and a sentence when none answers.

use Moose::Role;
use Time::HiRes qw(time);
use WormBase::API::Unavailable;

requires qw(server_name attempt);

has seconds => (is => 'ro', default => 3);

# Asked once more if a connection breaks at once: the server may have been restarted since
# the last question. A server that hangs is not asked twice, since a reader waits.
sub ask {
    my ($self, $question) = @_;
    my $began = time;
    my @answer = eval { $self->attempt($question) };
    @answer = eval { $self->attempt($question) } if $@ && time - $began < 1;
    WormBase::API::Unavailable->throw($self->server_name . " does not answer: $@") if $@;
    return wantarray ? @answer : $answer[0];
}

1;
