//go:build go1.23

package main

import "net/http"

// Partitioned came in the same version as the parser.
func partitioned(cookie *http.Cookie) { cookie.Partitioned = true }

func parseSetCookie() *http.Cookie {
	cookie, err := http.ParseSetCookie(setCookie)
	if err != nil {
		panic(err)
	}
	return cookie
}
