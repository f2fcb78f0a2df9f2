<?php
// Laravel's own sessions: SETTINGS SID COMMAND [ARGUMENTS]; the answer is a line of JSON.
// SETTINGS: {"root","driver","files"|"redis"|"memcached"|"table","serialization","encrypt","key","cipher","lifetime"}
use Illuminate\Cache\MemcachedStore;
use Illuminate\Cache\RedisStore;
use Illuminate\Cache\Repository;
use Illuminate\Cookie\CookieValuePrefix;
use Illuminate\Encryption\Encrypter;
use Illuminate\Session\CacheBasedSessionHandler;
use Illuminate\Session\DatabaseSessionHandler;
use Illuminate\Session\EncryptedStore;
use Illuminate\Session\FileSessionHandler;
use Illuminate\Session\Store;

error_reporting(E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED);
$settings = json_decode($argv[1], true);
[, , $sid, $command] = $argv;
set_include_path($settings['root']);
foreach (['Session', 'Encryption', 'Redis', 'Cache', 'Database', 'Container'] as $part) {
    require_once "Illuminate/$part/autoload.php";
}
require_once 'Illuminate/Cookie/CookieValuePrefix.php';

require_once __DIR__ . '/memcached.php';

$key = base64_decode(substr($settings['key'], strlen('base64:')));
$encrypter = new Encrypter($key, $settings['cipher'] ?? 'AES-256-CBC');

function handler(array $settings): SessionHandlerInterface
{
    if ($settings['driver'] === 'file') {
        return new FileSessionHandler(new Illuminate\Filesystem\Filesystem, $settings['files'], $settings['lifetime']);
    }
    if ($settings['driver'] === 'redis') {
        $redis = new Illuminate\Redis\RedisManager(new Illuminate\Container\Container, 'phpredis', [
            'options' => ['prefix' => $settings['prefix']], 'default' => ['host' => $settings['redis'], 'port' => $settings['port'] ?? 0],
        ]);
        $store = new RedisStore($redis, $settings['cache_prefix'], 'default');
        return new CacheBasedSessionHandler(new Repository($store), $settings['lifetime']);
    }
    if ($settings['driver'] === 'memcached') {
        $store = new MemcachedStore(memcached($settings), $settings['cache_prefix']);
        return new CacheBasedSessionHandler(new Repository($store), $settings['lifetime']);
    }
    return new DatabaseSessionHandler(database($settings)->getConnection(), $settings['table'], $settings['lifetime']);
}

function database(array $settings): Illuminate\Database\Capsule\Manager
{
    $database = new Illuminate\Database\Capsule\Manager;
    $database->addConnection($settings['database']);
    return $database;
}

// As `php artisan session:table` has it.
function create(array $settings): bool
{
    database($settings)->getConnection()->getSchemaBuilder()->create($settings['table'], function ($table) {
        $table->string('id')->primary();
        $table->foreignId('user_id')->nullable()->index();
        $table->string('ip_address', 45)->nullable();
        $table->text('user_agent')->nullable();
        $table->longText('payload');
        $table->integer('last_activity')->index();
    });
    return true;
}

function with(callable $body): mixed
{
    global $settings, $sid, $encrypter;
    static $handler;
    $handler ??= handler($settings);
    if ($handler instanceof DatabaseSessionHandler) {
        $handler->setExists(false);
    }
    $name = 'laravel_session';
    $form = $settings['serialization'];
    $session = $settings['encrypt'] ? new EncryptedStore($name, $handler, $encrypter, $sid, $form) : new Store($name, $handler, $sid, $form);
    $session->start();
    $answer = $body($session);
    $session->save();
    return $answer;
}

echo json_encode(match ($command) {
    'create' => create($settings),
    'cookie' => rawurlencode($encrypter->encrypt(CookieValuePrefix::create($argv[4], $key) . $sid, false)),
    // As its middleware EncryptCookies does; a wrong one is null.
    'id' => (function () use ($argv, $key, $encrypter) {
        $text = $encrypter->decrypt(rawurldecode($argv[5]), false);
        return CookieValuePrefix::validate($argv[4], $text, $key);
    })(),
    'read' => with(fn($session) => $session->all()),
    'write' => with(function ($session) use ($argv) {
        foreach (json_decode($argv[4], true) as $name => $value) {
            $session->put($name, $value);
        }
        return $session->getId();
    }),
    'flash' => with(fn($session) => $session->flash('status', 'saved')),
    'object' => with(fn($session) => $session->put('when', new DateTime('2026-01-02 03:04:05'))),
    'class' => with(fn($session) => get_class($session->get('when')) . $session->get('when')->format(' Y-m-d')),
    'destroy' => (fn() => handler($settings)->destroy($sid))(),
    'count' => (function () use ($argv) {
        for ($i = 0; $i < (int) $argv[4]; $i++) {
            with(fn($session) => $session->increment('php'));
            usleep(300);
        }
        return true;
    })(),
    // One request for each line that it is sent.
    'steps' => (function () {
        while (fgets(STDIN) !== false) {
            with(fn($session) => $session->increment('php'));
            echo "done\n";
        }
        return true;
    })(),
}), "\n";
