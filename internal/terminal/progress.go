package terminal

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

const (
	redraw = 100 * time.Millisecond // in a terminal
	repeat = 5 * time.Second        // in a pipe or a log, where every line stays

	barWidth  = 20 // characters, where there is room
	besideBar = 20 // characters of times and signs
)

// Reading is how far some work has got.
type Reading struct {
	Done  int64 // of the total passed to Progress
	Count int64 // things done so far, for people
}

// Progress shows on Err that work is going on: a bar in a terminal, an occasional plain line elsewhere. It polls the
// work. End it with Done or Stop, even if the work failed or was interrupted; Stop after Done does nothing, so it can
// be deferred.
type Progress struct {
	terminal *Terminal
	label    string
	total    int64
	read     func() Reading
	started  time.Time

	mu      sync.Mutex // guards what is on the screen
	bar     *progressbar.ProgressBar
	stopped bool
	quit    chan struct{}
	ended   sync.WaitGroup
}

// Progress shows work of a known size, in any unit, or of unknown size if total is negative. It polls at most ten times
// a second, from its own goroutine.
func (t *Terminal) Progress(label string, total int64, read func() Reading) *Progress {
	p := &Progress{terminal: t, label: label, total: total, read: read, started: time.Now(), quit: make(chan struct{})}
	every := repeat
	if t.ErrIsTerminal {
		p.bar = newBar(t, total)
		every = redraw
	} else {
		p.println(label + " …")
	}
	p.ended.Go(func() { p.run(every) })
	return p
}

// Step shows work whose size is unknown; only the time passes.
func (t *Terminal) Step(label string) *Progress { return t.Progress(label, -1, nil) }

// barWidth returns how long the bar is. Beside times and a few words it fits a line: one that wraps can't be redrawn.
func (t *Terminal) barWidth() int { return min(max(t.Columns-besideBar-12, 4), barWidth) }

func newBar(t *Terminal, total int64) *progressbar.ProgressBar {
	options := []progressbar.Option{
		progressbar.OptionSetWriter(t.Err),
		progressbar.OptionSetWidth(t.barWidth()),
		progressbar.OptionThrottle(redraw / 2), // show changes the text, then the bar; draw once for both
		progressbar.OptionSetPredictTime(total > 0),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionSetSpinnerChangeInterval(0), // run redraws
		progressbar.OptionSpinnerType(14),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "█", SaucerPadding: "░"}),
	}
	if total > 0 {
		total++ // everything read isn't everything done: the bar ends on Done or Stop
	} else {
		total = -1
	}
	return progressbar.NewOptions64(total, options...)
}

func (p *Progress) run(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-p.quit:
			return
		case <-ticker.C:
			p.show()
		}
	}
}

// show draws the bar, or prints a line.
func (p *Progress) show() {
	var now Reading
	if p.read != nil {
		now = p.read()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	if p.bar == nil {
		p.println(p.label + ": " + p.line(now))
		return
	}
	description := p.label
	if p.read != nil {
		description = fmt.Sprintf("%s, %s/s  %s", Count(now.Count), Count(p.rate(now)), p.label)
	}
	p.bar.Describe(short(description, max(p.terminal.Columns-p.terminal.barWidth()-besideBar, 8)))
	p.bar.Set64(min(now.Done, max(p.total, 0))) //nolint:errcheck // a bar that can't be drawn hurts nothing
}

// line says in words how far the work has got.
func (p *Progress) line(now Reading) string {
	if p.read == nil {
		return time.Since(p.started).Round(time.Second).String()
	}
	parts := []string{Count(now.Count)}
	if p.total > 0 {
		parts = append(parts, fmt.Sprintf("%d %%", now.Done*100/p.total))
	}
	return strings.Join(append(parts, Count(p.rate(now))+" a second"), ", ")
}

// rate returns the things done per second since the start.
func (p *Progress) rate(now Reading) int64 {
	elapsed := time.Since(p.started).Seconds()
	if elapsed <= 0 {
		return 0
	}
	return int64(float64(now.Count) / elapsed)
}

// Println prints a line above the bar.
func (p *Progress) Println(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil && !p.stopped {
		p.bar.Clear() //nolint:errcheck // as in show
	}
	p.println(line)
}

// Done ends the progress and leaves one line with what was done and how long it took.
func (p *Progress) Done(message string) {
	if p.end() {
		style := p.terminal.ErrStyle()
		p.println(fmt.Sprintf("%s %s %s", style.Green("✓"), message, style.Faint("("+Duration(time.Since(p.started))+")")))
	}
}

// Stop ends the progress and leaves nothing on the screen: later output says how the work ended.
func (p *Progress) Stop() { p.end() }

// end removes the bar, and reports whether this call did it.
func (p *Progress) end() bool {
	p.mu.Lock()
	if p.stopped {
		p.mu.Unlock()
		return false
	}
	p.stopped = true
	if p.bar != nil {
		p.bar.Finish() //nolint:errcheck // as in show
		p.bar.Clear()  //nolint:errcheck // as in show
	}
	p.mu.Unlock()
	close(p.quit)
	p.ended.Wait()
	return true
}

func (p *Progress) println(line string) {
	fmt.Fprintln(p.terminal.Err, Safe(line)) //nolint:errcheck // nowhere left to say it
}

// short cuts text to a number of characters.
func short(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
