package main

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

const root = "../.."

func file(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// part returns a part of the page, after checking its first line: which command measured it, when and where.
func part(t *testing.T, name string) string {
	t.Helper()
	_, rest, begun := strings.Cut(file(t, page), "<!-- begin "+name+" -->\n")
	text, _, ended := strings.Cut(rest, "<!-- end "+name+" -->")
	first, text, _ := strings.Cut(text, "\n\n")
	said := regexp.MustCompile("^`(.*)`, (\\d{4}-\\d\\d-\\d\\d), \\d+ cores of an .+, go1\\.\\d+.*$").FindStringSubmatch(first)
	if !begun || !ended || said == nil {
		t.Fatalf("the part %s doesn't begin with its command, date and machine: %q", name, first)
	}
	if _, err := time.Parse(time.DateOnly, said[2]); err != nil || said[1] != commands[name] {
		t.Errorf("the part %s begins with %s, and %q measures it (%v)", name, first, commands[name], err)
	}
	if recipe := "\t$(MAKE) -s " + strings.TrimPrefix(commands[name], "make ") + " >"; !strings.Contains(file(t, "Makefile"), recipe) {
		t.Errorf("make benchmarks doesn't run %s", commands[name])
	}
	return text
}

// declared returns the benchmarks that exist, with their folders, whose names match.
func declared(t *testing.T, wanted func(name string) bool) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, name := range regexp.MustCompile(`(?m)^func Benchmark(\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			folder, _ := filepath.Rel(root, filepath.Dir(path))
			if wanted(name[1]) {
				found = append(found, filepath.ToSlash(folder)+" "+name[1])
			}
		}
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	slices.Sort(found)
	return found
}

// rows returns a table's rows after its head.
func rows(text string) [][]string {
	var all [][]string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| ") {
			all = append(all, strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |\n"), " | "))
		}
	}
	return all[1:]
}

func same(t *testing.T, what string, want []string, got map[string]bool) {
	t.Helper()
	if diff := gocmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("the %s that exist (-) and those in %s (+) differ: run make benchmarks on a quiet machine\n%s", what, page, diff)
	}
}

func compared(name string) bool { return strings.HasPrefix(name, "Compare") }
func growing(name string) bool  { return strings.HasPrefix(name, "Growth") }

func TestThePageHasEveryBenchmark(t *testing.T) {
	measure, got := regexp.MustCompile(`^\d[\d.]* (ns|µs|ms|s)$`), map[string]bool{}
	for _, row := range rows(part(t, "bench")) {
		name, _, _ := strings.Cut(row[1], "/")
		got[strings.Trim(row[0], "`")+" "+name] = true
		if len(row) != 7 || !measure.MatchString(row[2]) || !strings.HasSuffix(row[3], " %") {
			t.Errorf("%q", row)
		}
	}
	same(t, "benchmarks", declared(t, func(name string) bool { return !compared(name) && !growing(name) }), got)
}

func TestThePageHasEveryComparison(t *testing.T) {
	number, got := regexp.MustCompile(`^[\d.]+$`), map[string]bool{}
	for _, row := range rows(part(t, "compare")) {
		name, _, _ := strings.Cut(row[0], "/")
		got["Compare"+name] = true
		if len(row) != 6 || !number.MatchString(row[4]) || !strings.Contains(row[5], " and ") {
			t.Errorf("%q", row)
		}
	}
	same(t, "comparisons", withoutFolders(declared(t, compared)), got)
}

func TestThePagesPlotsAreThoseOfItsTables(t *testing.T) {
	got := map[string]bool{}
	for _, text := range strings.SplitAfter(part(t, "growth"), "\n\n###") {
		text = "###" + strings.TrimSuffix(strings.TrimPrefix(text, "###"), "###")
		read := parse(text)
		got["Growth"+read.name] = true
		if len(read.rows) < 4 {
			t.Errorf("%s has %d rows", read.name, len(read.rows))
			continue
		}
		if want := strings.TrimSpace(read.String()); strings.TrimSpace(text) != want {
			t.Errorf("it is\n%s\nand not\n%s", text, want)
		}
		if name := fmt.Sprintf(plots, strings.ToLower(read.name)); file(t, name) != read.plot() {
			t.Errorf("%s isn't the plot of its table: run make benchmarks", name)
		}
	}
	same(t, "growths", withoutFolders(declared(t, growing)), got)
	drawn, err := filepath.Glob(filepath.Join(root, fmt.Sprintf(plots, "*")))
	if err != nil || len(drawn) != len(got) {
		t.Errorf("there are %d plots of %d growths (%v)", len(drawn), len(got), err)
	}
}

func withoutFolders(names []string) []string {
	for i := range names {
		names[i] = names[i][strings.LastIndex(names[i], " ")+1:]
	}
	slices.Sort(names)
	return names
}
