<?php
// The lab's blog. Whoever looks at it may call the host by its name or by its address.
define('DB_NAME', 'wordpress');
define('DB_USER', 'www-data');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
$table_prefix = 'wp_';

define('WP_HOME', 'http://' . ($_SERVER['HTTP_HOST'] ?? '$host:$port'));
define('WP_SITEURL', WP_HOME);
// Application passwords over plain HTTP are for local sites only.
define('WP_ENVIRONMENT_TYPE', 'local');
// The lab's network leads nowhere.
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('DISABLE_WP_CRON', true);

if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
