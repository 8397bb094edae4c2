package console

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"slices"
)

// policy lets a page use only what this server embeds, send forms only here, and be framed by nobody.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const (
	keyParameter = "key"   // of the first address, which brings the key
	tokenField   = "token" // of every form
)

// guard protects what an operator may see and do from other programs and pages on the same machine.
type guard struct {
	hosts  []string // by which this server may be addressed
	cookie string   // holds the key. Cookies are shared by all ports of a machine, so each console has its own.
	key    string   // who has it may look
	token  string   // in every form that does something
}

func newGuard(port string) guard {
	return guard{
		hosts: []string{"127.0.0.1:" + port, "localhost:" + port}, cookie: "tradectl-console-" + port, key: rand.Text(), token: rand.Text(),
	}
}

// protect wraps the console.
func (g guard) protect(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store") // pages hold trades
		// A name that a foreign page has pointed at this machine is still that page's origin.
		if !slices.Contains(g.hosts, r.Host) {
			http.Error(w, "This console is served at http://"+g.hosts[0]+" only.", http.StatusMisdirectedRequest)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host || crossOrigin.Check(r) != nil {
			http.Error(w, "Another page may not use the console.", http.StatusForbidden)
			return
		}
		if given := r.URL.Query().Get(keyParameter); r.Method == http.MethodGet && same(given, g.key) {
			http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: g.key, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}) //nolint:gosec // loopback has no TLS, so Secure would lose it
			// The address that is kept in the browser's history doesn't have the key.
			clean := *r.URL
			query := clean.Query()
			query.Del(keyParameter)
			clean.RawQuery = query.Encode()
			http.Redirect(w, r, clean.RequestURI(), http.StatusSeeOther) //nolint:gosec // a path: the host was checked above
			return
		}
		if cookie, err := r.Cookie(g.cookie); err != nil || !same(cookie.Value, g.key) {
			http.Error(w, "Open the address that tradectl console printed: it has the key.", http.StatusUnauthorized)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if !same(r.PostFormValue(tokenField), g.token) {
				http.Error(w, "The form is not one of this console, or is older than it: load the page again.", http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// maxForm is enough for an event of EventBridge's largest size, encoded as a form.
const maxForm = 4 << 20

func same(given, want string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}
