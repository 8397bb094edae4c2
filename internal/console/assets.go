package console

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"strings"
)

// assets are all that a page loads: vendor/ holds others' libraries, which tools/console/update brings.
//
//go:embed assets
var assets embed.FS

func serveAssets() http.Handler {
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // the folder is in the program
	}
	return http.StripPrefix("/assets/", http.FileServerFS(files))
}

// asset returns an embedded file's text.
func asset(name string) string {
	text, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it is in the program
	}
	return string(text)
}

// licences are those of the libraries, as a file that includes them must show them.
func licences() string {
	var all strings.Builder
	for _, name := range []string{"htmx.org", "htmx-ext-sse", "uplot"} {
		all.WriteString(name + "\n\n" + asset("vendor/"+name+".LICENSE") + "\n")
	}
	return all.String()
}

// hash is how a content security policy names an inline script or style.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
