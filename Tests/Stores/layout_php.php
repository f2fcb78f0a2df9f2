<?php
// PHP's own sessions: SID COMMAND [ARGUMENTS]; the answer is a line of JSON. The settings are given with -d.
[, $sid, $command] = $argv;
function with(string $sid, callable $body): mixed {
    session_id($sid);
    session_start(['use_cookies' => 0, 'use_only_cookies' => 0, 'cache_limiter' => '']);
    $answer = $body();
    session_write_close();
    return $answer;
}
echo json_encode(match ($command) {
    'read' => with($sid, fn() => $_SESSION),
    'write' => with($sid, function () use ($argv) {
        foreach (json_decode($argv[3], true) as $name => $value) {
            $_SESSION[$name] = $value;
        }
        return session_id();
    }),
    'object' => with($sid, function () {
        $_SESSION['when'] = new DateTime('2026-01-02 03:04:05');
        $_SESSION['n'] = 1;
        return true;
    }),
    'class' => with($sid, fn() => get_class($_SESSION['when']) . $_SESSION['when']->format(' Y-m-d')),
    'destroy' => (function () use ($sid) {
        session_id($sid);
        session_start(['use_cookies' => 0, 'use_only_cookies' => 0, 'cache_limiter' => '']);
        return session_destroy();
    })(),
    'count' => (function () use ($sid, $argv) {
        for ($i = 0; $i < (int) $argv[3]; $i++) {
            with($sid, function () {
                usleep(300);
                $_SESSION['php'] = ($_SESSION['php'] ?? 0) + 1;
            });
        }
        return true;
    })(),
}), "\n";
