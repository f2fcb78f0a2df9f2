//go:build !go1.23

package main

import "net/http"

var response = http.Response{Header: http.Header{"Set-Cookie": {setCookie}}}

func partitioned(*http.Cookie) {}

// The only parser of these versions works on a whole response.
func parseSetCookie() *http.Cookie { return response.Cookies()[0] }
