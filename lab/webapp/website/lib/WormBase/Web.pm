package WormBase::Web;

use Moose;
use namespace::autoclean;
use Catalyst qw(ConfigLoader Static::Simple);

extends 'Catalyst';

our $VERSION = '0.02';

__PACKAGE__->config(
    name                                        => 'WormBase',
    'Plugin::ConfigLoader'                      => { file => 'wormbase.conf' },
    encoding                                    => 'UTF-8',
    disable_component_resolution_regex_fallback => 1,
);

__PACKAGE__->setup;

1;
