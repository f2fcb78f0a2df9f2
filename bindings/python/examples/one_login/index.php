<?php
// PHP itself, with its own sessions in its own files. It knows nothing of Tuile.
session_start();
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
$user = htmlspecialchars($_SESSION['user'] ?? 'nobody');
echo "<!doctype html><meta charset=utf-8><title>PHP</title><h1 id=hello>PHP knows $user</h1><p id=visits>{$_SESSION['visits']}</p><a href=\"/\">Back</a>";
