// Go's net/http and its cookie jar, without a list of public suffixes.
package main

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"runtime"
	"strings"
	"time"
)

const (
	value     = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdef"
	setCookie = "sessionid=h0tG4VuXIPKJsHAI8079HAMOLtCtiGCL; Domain=example.com; expires=Thu, 26 Jun 2025 11:48:30 GMT; " +
		"HttpOnly; Max-Age=1209600; Partitioned; Path=/; SameSite=None; Secure"
)

var sink int

func run(call func(), atLeast time.Duration) float64 {
	start, times := time.Now(), 0
	for {
		for i := 0; i < 64; i++ {
			call()
		}
		times += 64
		if took := time.Since(start); took >= atLeast {
			return float64(took.Nanoseconds()) / float64(times)
		}
	}
}

// measure warms up, then takes the best of five runs.
func measure(op string, call func()) {
	run(call, 100*time.Millisecond)
	best := run(call, 200*time.Millisecond)
	for i := 0; i < 4; i++ {
		if again := run(call, 200*time.Millisecond); again < best {
			best = again
		}
	}
	fmt.Printf("go\t%s\t%.1f\n", op, best)
}

func must(ok bool, what string) {
	if !ok {
		panic(what)
	}
}

func request(count int) *http.Request {
	pairs := []string{}
	for i := 0; i < count; i++ {
		pairs = append(pairs, fmt.Sprintf("cookie_%02d=%s", i, value[:73]))
	}
	return &http.Request{Header: http.Header{"Cookie": {strings.Join(pairs, "; ")}}}
}

func jar() *cookiejar.Jar {
	jar, err := cookiejar.New(nil)
	must(err == nil, "jar")
	for h := 0; h < 300; h++ {
		from := &url.URL{Scheme: "https", Host: fmt.Sprintf("host%03d.example%02d.com", h, h/10), Path: "/"}
		for i := 0; i < 10; i++ {
			jar.SetCookies(from, []*http.Cookie{{Name: fmt.Sprintf("c%d", i), Value: value[:32], Path: "/", MaxAge: 86400 * 300}})
		}
	}
	return jar
}

func main() {
	fmt.Println("# go", runtime.Version())
	for _, count := range []int{3, 12, 50} {
		request := request(count)
		must(len(request.Cookies()) == count, "parse")
		measure(fmt.Sprintf("parse_%d", count), func() {
			for _, cookie := range request.Cookies() {
				sink += len(cookie.Name) + len(cookie.Value)
			}
		})
	}

	twelve := request(12)
	measure("get_one", func() {
		cookie, err := twelve.Cookie("cookie_07")
		must(err == nil, "get")
		sink += len(cookie.Value)
	})

	expires := time.Unix(1750938510, 0)
	write := func() string {
		cookie := http.Cookie{
			Name: "sessionid", Value: "h0tG4VuXIPKJsHAI8079HAMOLtCtiGCL", Domain: "example.com", Path: "/",
			MaxAge: 1209600, Expires: expires, SameSite: http.SameSiteNoneMode, Secure: true, HttpOnly: true,
		}
		partitioned(&cookie)
		return cookie.String()
	}
	fmt.Println("# go writes", write())
	measure("write_full", func() { sink += len(write()) })

	must(parseSetCookie().MaxAge == 1209600, "Set-Cookie")
	measure("parse_set_cookie", func() { sink += len(parseSetCookie().Value) })

	// What http.Client does for each request with a jar.
	jar, to := jar(), &url.URL{Scheme: "https", Host: "host150.example15.com", Path: "/some/path"}
	lookup := func() string {
		request := http.Request{Header: http.Header{}}
		for _, cookie := range jar.Cookies(to) {
			request.AddCookie(cookie)
		}
		return request.Header.Get("Cookie")
	}
	must(strings.Count(lookup(), "=") == 10, "jar")
	measure("jar_header_3000", func() { sink += len(lookup()) })
}
