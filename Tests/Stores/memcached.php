<?php
// php-memcached's client, as Laravel and Symfony are given it. "compression" is its name of what it compresses with;
// otherwise it is as it comes, with FastLZ.
function memcached(array $settings): Memcached
{
    $client = new Memcached;
    if (isset($settings['compression'])) {
        $client->setOption(Memcached::OPT_COMPRESSION, $settings['compression'] !== 'none');
        $client->setOption(Memcached::OPT_COMPRESSION_TYPE, $settings['compression'] === 'zlib' ? Memcached::COMPRESSION_ZLIB : Memcached::COMPRESSION_FASTLZ);
    }
    foreach ($settings['memcached'] as [$host, $port]) {
        $client->addServer($host, $port);
    }
    return $client;
}
