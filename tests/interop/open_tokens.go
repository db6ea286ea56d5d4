// Opens tokens with go-jose: a JSON document on standard input, what each token says on standard output.
package main

import (
	"encoding/json"
	"os"
	"strings"

	jose "gopkg.in/square/go-jose.v2"
)

type given struct {
	Jwks   jose.JSONWebKeySet
	Key    jose.JSONWebKey
	Tokens []string
}

func open(token string, from given) ([]byte, error) {
	if strings.Count(token, ".") == 4 {
		sealed, err := jose.ParseEncrypted(token)
		if err != nil {
			return nil, err
		}
		plain, err := sealed.Decrypt(from.Key.Key)
		if err != nil {
			return nil, err
		}
		token = string(plain)
	}
	signed, err := jose.ParseSigned(token)
	if err != nil {
		return nil, err
	}
	return signed.Verify(from.Jwks.Key(signed.Signatures[0].Header.KeyID)[0].Key)
}

func main() {
	var from given
	if err := json.NewDecoder(os.Stdin).Decode(&from); err != nil {
		panic(err)
	}
	said := []json.RawMessage{}
	for _, token := range from.Tokens {
		payload, err := open(token, from)
		if err != nil {
			payload, _ = json.Marshal(map[string]string{"refused": err.Error()})
		}
		said = append(said, payload)
	}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		panic(err)
	}
}
