package console

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"time"

	"trade-processing/internal/operate"
)

// document is a page without a server: all views of one moment, with their style and script.
type document struct {
	page
	Policy   string
	Style    template.CSS
	Script   template.JS
	Licences string
	Pages    []page
}

// WriteFile writes the console's views as one file that loads nothing.
func WriteFile(ctx context.Context, w io.Writer, stack *operate.Stack, title string) error {
	c := &Console{stack: stack, title: title, now: time.Now, file: true}
	style := asset("vendor/uPlot.min.css") + asset("console.css")
	script := asset("vendor/uPlot.iife.min.js") + asset("console.js")
	d := document{
		page:   c.page(view{Name: title}, nil, nil),
		Policy: "default-src 'none'; style-src " + hash(style) + "; script-src " + hash(script) + "; base-uri 'none'; form-action 'none'",
		Style:  template.CSS(style), Script: template.JS(script), Licences: licences(), //nolint:gosec // they are in the program
	}
	for _, v := range views {
		if v.Hidden {
			continue
		}
		address := &url.URL{Path: v.Path}
		data, err := v.read(c, (&http.Request{Method: http.MethodGet, URL: address}).WithContext(ctx))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.Pages = append(d.Pages, c.page(v, data, err))
	}
	if err := templates().ExecuteTemplate(w, "file", d); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}
