package WormBase::Web;

use Moose;
use namespace::autoclean;

extends 'Catalyst';

our $VERSION = '0.02';

__PACKAGE__->config(
    name                                        => 'WormBase',
    encoding                                    => 'UTF-8',
    disable_component_resolution_regex_fallback => 1,
);

__PACKAGE__->setup;

1;
