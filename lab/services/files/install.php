<?php
// Installs WordPress unless it is, and gives its author the application password that is
// read from standard input.
define('WP_INSTALLING', true);
require __DIR__ . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

$password = trim(stream_get_contents(STDIN));
if (!is_blog_installed()) {
    wp_install('WormBase', '$user', '$user@$host', true, '', wp_generate_password());
}
$author = get_user_by('login', '$user');
$entry = [
    'uuid' => wp_generate_uuid4(),
    'app_id' => '',
    'name' => 'releases',
    'password' => wp_hash_password($password),
    'created' => time(),
    'last_used' => null,
    'last_ip' => null,
];
update_user_meta($author->ID, WP_Application_Passwords::USERMETA_KEY_APPLICATION_PASSWORDS, [$entry]);
wp_delete_post(1, true);
update_network_option(get_main_network_id(), WP_Application_Passwords::OPTION_KEY_IN_USE, true);
