#!/usr/bin/env perl
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use WormBase::Web;

WormBase::Web->psgi_app;
