<?php
// Answers lines on stdin: what PHP's session handlers make of values. test_differential.py asks.
class Cart { public $n = 1; protected $p = 'prot'; private $q = [1.5]; public $next; }
enum Suit: string { case Spades = 'S'; }

function store(array $session): string {
    $_SESSION = $session;
    return session_encode() ?: '';
}

// As a request that reads it, changes it and ends.
function change(string $stored, callable $change): string {
    $_SESSION = [];
    if ($stored !== '' && !session_decode($stored)) throw new Exception('not decoded');
    $change();
    return session_encode() ?: '';
}

function graph(int $seed): array {
    mt_srand($seed);
    $session = ['first' => ['a', 1], 'count' => mt_rand(0, 300)];
    $made = [];
    for ($i = 0; $i < 6; $i++) {
        switch (mt_rand(0, 6)) {
            case 0: $value = new Cart; $value->next = $made ? $made[array_rand($made)] : null; $made[] = $value; break;
            case 1: $value = new stdClass; $value->self = $value; $value->list = [1, "\xff"]; $made[] = $value; break;
            case 2: $value = $made ? $made[array_rand($made)] : null; break;
            case 3: $value = Suit::Spades; break;
            case 4: $value = new DateTimeImmutable('2026-03-29 01:30:00'); break;
            case 5: $value = ['deep' => [['x' => $made ? $made[array_rand($made)] : 1]], 5 => 'five']; break;
            default: $value = [1, 2, ['k' => 'v']];
        }
        $session["m$i"] = $value;
    }
    $session['by_reference'] = &$session['m' . mt_rand(0, 5)];
    if (mt_rand(0, 1)) $session['inner'] = ['list' => [&$session['count'], 2]];
    return $session;
}

session_cache_limiter('');
ini_set('session.use_cookies', 0);
ini_set('session.save_path', sys_get_temp_dir());
// With the handler that the command sets; before there is output.
session_start();
while (($line = fgets(STDIN)) !== false) {
    $words = explode(' ', rtrim($line, "\n"));
    if ($words[0] === 'encode') {
        $answers = [store(json_decode(base64_decode($words[1]), true))];
    } else {
        // What PHP has stored once and read.
        $stored = change(store(graph((int) $words[1])), fn() => null);
        $answers = [$stored];
        $answers[] = change($stored, function () { $_SESSION['hits'] = 41; });
        $answers[] = change($stored, function () { unset($_SESSION['first']); });
    }
    echo implode(' ', array_map('base64_encode', $answers)), "\n";
}
session_abort();
