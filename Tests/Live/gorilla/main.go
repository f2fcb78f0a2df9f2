// gorilla/securecookie for the tests: a line of JSON in, a line of JSON out.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"

	"github.com/gorilla/securecookie"
)

type request struct {
	Op     string          `json:"op"`
	Name   string          `json:"name"`
	Hash   string          `json:"hash"`   // The key of the MAC, in hex.
	Block  string          `json:"block"`  // The key of the cipher, in hex, or nothing.
	Digest string          `json:"digest"` // Nothing for the default.
	Text   bool            `json:"text"`   // No serializer.
	MaxAge int             `json:"max_age"`
	Value  json.RawMessage `json:"value"`
	Token  string          `json:"token"`
	Header string          `json:"header"` // A Cookie header.
}

func codec(asked request) (*securecookie.SecureCookie, error) {
	hash, err := hex.DecodeString(asked.Hash)
	if err != nil {
		return nil, err
	}
	var block []byte
	if asked.Block != "" {
		if block, err = hex.DecodeString(asked.Block); err != nil {
			return nil, err
		}
	}
	// No limits of its own but those that are asked for.
	made := securecookie.New(hash, block).MaxLength(0).MaxAge(asked.MaxAge)
	if asked.Text {
		made.SetSerializer(securecookie.NopEncoder{})
	} else {
		made.SetSerializer(securecookie.JSONEncoder{})
	}
	switch asked.Digest {
	case "sha1":
		made.HashFunc(sha1.New)
	case "sha256":
		made.HashFunc(sha256.New)
	case "sha512":
		made.HashFunc(sha512.New)
	}
	return made, nil
}

func encode(asked request) (interface{}, error) {
	made, err := codec(asked)
	if err != nil {
		return nil, err
	}
	var value interface{}
	// Numbers as they stand: a float64 would lose some.
	reader := json.NewDecoder(bytes.NewReader(asked.Value))
	reader.UseNumber()
	if err := reader.Decode(&value); err != nil {
		return nil, err
	}
	if asked.Text {
		value = []byte(value.(string))
	}
	return made.Encode(asked.Name, value)
}

func decode(asked request) (interface{}, error) {
	made, err := codec(asked)
	if err != nil {
		return nil, err
	}
	if asked.Text {
		var text []byte
		err = made.Decode(asked.Name, asked.Token, &text)
		return string(text), err
	}
	var value json.RawMessage
	err = made.Decode(asked.Name, asked.Token, &value)
	return value, err
}

// As a handler sees the cookie of that name: nothing if there is none.
func cookie(asked request) (interface{}, error) {
	request := http.Request{Header: http.Header{"Cookie": {asked.Header}}}
	found, err := request.Cookie(asked.Name)
	if err == http.ErrNoCookie {
		return nil, nil
	}
	return found.Value, err
}

func answer(asked request) (interface{}, error) {
	if asked.Op == "cookie" {
		return cookie(asked)
	}
	if asked.Op == "encode" {
		return encode(asked)
	}
	return decode(asked)
}

func main() {
	out := json.NewEncoder(os.Stdout)
	_ = out.Encode(map[string]interface{}{
		"versions": map[string]string{"go": runtime.Version(), "gorilla/securecookie": version},
	})
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked request
		if err = json.Unmarshal(line, &asked); err == nil {
			var ok interface{}
			if ok, err = answer(asked); err == nil {
				_ = out.Encode(map[string]interface{}{"ok": ok})
				continue
			}
		}
		_ = out.Encode(map[string]string{"error": fmt.Sprint(err)})
	}
}

// Set by the build, which knows the package.
var version = "of unknown version"
