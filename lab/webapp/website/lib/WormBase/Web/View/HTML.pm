package WormBase::Web::View::HTML;

# Pages from root/templates, filled in by Text::MicroTemplate (extlib), which escapes.

use Moose;
use namespace::autoclean;
use Text::MicroTemplate::File;
use WormBase::Release;

extends 'Catalyst::View';

my $templates = Text::MicroTemplate::File->new(
    include_path => [WormBase::Release::home() . '/root/templates'],
    use_cache    => 2,
);

sub process {
    my ($self, $c) = @_;
    my %values = (
        release => WormBase::Release::name(),
        build   => WormBase::Release::build(),
        %{ $c->stash },
    );
    $c->res->content_type('text/html; charset=utf-8');
    $c->res->body($templates->render_file($values{template}, \%values)->as_string);
}

1;
