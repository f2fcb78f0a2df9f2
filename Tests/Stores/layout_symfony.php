<?php
// Symfony's own sessions: SETTINGS SID COMMAND [ARGUMENTS]; the answer is a line of JSON.
// SETTINGS: {"root", "driver": "files"|"redis"|"memcached"|"pdo", "files", "redis", "memcached", "dsn", "user", "serialize_handler"}
use Symfony\Component\HttpFoundation\Session\Session;
use Symfony\Component\HttpFoundation\Session\Storage\Handler\MemcachedSessionHandler;
use Symfony\Component\HttpFoundation\Session\Storage\Handler\NativeFileSessionHandler;
use Symfony\Component\HttpFoundation\Session\Storage\Handler\PdoSessionHandler;
use Symfony\Component\HttpFoundation\Session\Storage\Handler\RedisSessionHandler;
use Symfony\Component\HttpFoundation\Session\Storage\NativeSessionStorage;

error_reporting(E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED);
// Headers can't have been sent before the answer is.
ob_start();
$settings = json_decode($argv[1], true);
[, , $sid, $command] = $argv;
set_include_path($settings['root']);
require_once 'Symfony/Component/HttpFoundation/autoload.php';
require_once __DIR__ . '/memcached.php';

class Token
{
    public function __construct(private mixed $user, protected array $roles = ['ROLE_USER']) {}
}

function handler(array $settings): SessionHandlerInterface
{
    if ($settings['driver'] === 'files') {
        return new NativeFileSessionHandler($settings['files']);
    }
    if ($settings['driver'] === 'redis') {
        $redis = new Redis;
        $redis->connect($settings['redis'], $settings['port'] ?? 0);
        return new RedisSessionHandler($redis, ['prefix' => $settings['prefix'] ?? 'sf_s']);
    }
    if ($settings['driver'] === 'memcached') {
        return new MemcachedSessionHandler(memcached($settings), ['prefix' => $settings['prefix'] ?? 'sf_s']);
    }
    return new PdoSessionHandler($settings['dsn'], ['db_username' => $settings['user'] ?? null]);
}

$handler = handler($settings);
if ($command === 'create') {
    $handler->createTable();
    echo "true\n";
    exit;
}
$storage = new NativeSessionStorage([
    'use_cookies' => 0, 'use_strict_mode' => 0, 'cache_limiter' => '0', 'gc_probability' => 0, 'gc_maxlifetime' => 1440,
    'serialize_handler' => $settings['serialize_handler'] ?? 'php',
], $handler);

function with(callable $body): mixed
{
    global $storage, $sid;
    $_SESSION = [];
    session_id($sid);
    $session = new Session($storage);
    $session->start();
    $answer = $body($session);
    $session->save();
    return $answer;
}

$answer = match ($command) {
    'read' => with(fn($session) => $session->all()),
    'meta' => with(fn($session) => [$session->getMetadataBag()->getCreated(), $session->getMetadataBag()->getLastUsed(), $session->getMetadataBag()->getLifetime()]),
    'write' => with(function ($session) use ($argv) {
        $given = $argv[4] === '-' ? stream_get_contents(STDIN) : $argv[4];
        foreach (json_decode($given, true) as $name => $value) {
            $session->set($name, $value);
        }
        return $session->getId();
    }),
    'flash' => with(fn($session) => $session->getFlashBag()->add('notice', 'saved')),
    'flashes' => with(fn($session) => $session->getFlashBag()->peekAll()),
    'login' => with(fn($session) => $session->set('_security_main', serialize(new Token(json_decode($argv[4], true))))),
    'object' => with(fn($session) => $session->set('when', new DateTime('2026-01-02 03:04:05'))),
    'class' => with(fn($session) => get_class($session->get('when')) . $session->get('when')->format(' Y-m-d')),
    'destroy' => with(fn($session) => $session->clear()),
    'count' => (function () use ($argv) {
        for ($i = 0; $i < (int) $argv[4]; $i++) {
            with(fn($session) => $session->set('php', $session->get('php', 0) + 1));
            usleep(300);
        }
        return true;
    })(),
    // One request for each line that it is sent.
    'steps' => (function () {
        while (fgets(STDIN) !== false) {
            with(fn($session) => $session->set('php', $session->get('php', 0) + 1));
            fwrite(STDOUT, "done\n");
            fflush(STDOUT);
        }
        return true;
    })(),
};
echo json_encode($answer), "\n";
