// gorilla/securecookie, with its JSON serializer, or none for text.
package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
)

const key = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"

// Set by the build, which knows the package.
var version = "of unknown version"

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
	fmt.Printf("gorilla\t%s\t%.1f\n", op, best)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func measureAll(dialect string, block []byte) {
	made := func() *securecookie.SecureCookie { return securecookie.New([]byte(key), block).MaxAge(3600) }

	text, value := made().SetSerializer(securecookie.NopEncoder{}), strings.Repeat("v", 100)
	write := func() string {
		// A copy, as it encrypts in place.
		token, err := text.Encode("session", []byte(value))
		must(err)
		return token
	}
	token := write()
	read := func() (back []byte) {
		must(text.Decode("session", token, &back))
		return back
	}
	if string(read()) != value {
		panic(dialect + " verify")
	}
	measure(dialect+" sign", func() { sink += len(write()) })
	measure(dialect+" verify", func() { sink += len(read()) })

	session := made().SetSerializer(securecookie.JSONEncoder{})
	var payload map[string]interface{}
	must(json.Unmarshal([]byte(fmt.Sprintf(`{"_auth_user_id":"42","_auth_user_backend":`+
		`"django.contrib.auth.backends.ModelBackend","_auth_user_hash":"%064d",`+
		`"cart":[1,2,3,4,5,6,7,8,9],"language":"de","messages":"%060d"}`, 7, 8)), &payload))
	dumps := func() string {
		token, err := session.Encode("session", payload)
		must(err)
		return token
	}
	dumped := dumps()
	loads := func() (back map[string]interface{}) {
		must(session.Decode("session", dumped, &back))
		return back
	}
	if !reflect.DeepEqual(loads(), payload) {
		panic(dialect + " loads")
	}
	measure(dialect+" dumps", func() { sink += len(dumps()) })
	measure(dialect+" loads", func() { sink += len(loads()) })
}

func main() {
	fmt.Printf("# gorilla/securecookie %s, %s\n", version, runtime.Version())
	measureAll("gorilla", nil)
	measureAll("gorilla-encrypted", []byte("0123456789abcdef0123456789abcdef"))
}
