// Command pprof reads profiles with google/pprof, and makes some to be read.
//
//	pprof describe FILE…       one JSON object a line: what google/pprof makes of each file, or its error
//	pprof bench SECONDS FILE…  one JSON object a line: how fast it parses each file, unpacked beforehand
//	pprof make DIR             profiles of a busy program: CPU, heap and goroutines, small ones and large ones
//	pprof serve                a busy program with a leak, its address on stdout; until stdin ends
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/pprof/profile"
)

func main() {
	switch command, args := os.Args[1], os.Args[2:]; command {
	case "describe":
		for _, path := range args {
			print(describe(path))
		}
	case "bench":
		seconds, err := strconv.ParseFloat(args[0], 64)
		check(err)
		for _, path := range args[1:] {
			print(measure(path, time.Duration(seconds*float64(time.Second))))
		}
	case "make":
		makeProfiles(args[0])
	case "serve":
		serve()
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func print(value any) {
	line, err := json.Marshal(value)
	check(err)
	fmt.Println(string(line))
}

type description struct {
	Error string `json:"error,omitempty"`
	// SampleTypes are written `type/unit`.
	SampleTypes []string `json:"sampleTypes,omitempty"`
	// Stacks: functions from root to leaf, joined by `;`, and the sum of each sample type in decimals.
	Stacks map[string][]string `json:"stacks"`
}

func describe(path string) description {
	packed, err := os.ReadFile(path)
	check(err)
	parsed, err := profile.ParseData(packed)
	if err != nil {
		return description{Error: err.Error()}
	}
	found := description{Stacks: map[string][]string{}}
	for _, each := range parsed.SampleType {
		found.SampleTypes = append(found.SampleTypes, each.Type+"/"+each.Unit)
	}
	sums := map[string][]int64{}
	for _, sample := range parsed.Sample {
		frames := []string{}
		for i := len(sample.Location) - 1; i >= 0; i-- {
			lines := sample.Location[i].Line
			for j := len(lines) - 1; j >= 0; j-- {
				frames = append(frames, lines[j].Function.Name)
			}
		}
		stack := strings.Join(frames, ";")
		if sums[stack] == nil {
			sums[stack] = make([]int64, len(sample.Value))
		}
		for i, value := range sample.Value {
			sums[stack][i] += value
		}
	}
	for stack, values := range sums {
		for _, value := range values {
			found.Stacks[stack] = append(found.Stacks[stack], strconv.FormatInt(value, 10))
		}
	}
	return found
}

type figures struct {
	// CPU time over all threads, as the collector has its own.
	CPUSecondsPerParse float64 `json:"cpuSecondsPerParse"`
	RetainedBytes      uint64  `json:"retainedBytes"`
}

func measure(path string, long time.Duration) figures {
	packed, err := os.ReadFile(path)
	check(err)
	unpacker, err := gzip.NewReader(bytes.NewReader(packed))
	check(err)
	raw, err := io.ReadAll(unpacker)
	check(err)
	before := heapInUse()
	kept, err := profile.ParseUncompressed(raw)
	check(err)
	after := heapInUse()
	runtime.KeepAlive(kept)
	parses := 0
	started, startedCPU := time.Now(), cpuSeconds()
	for time.Since(started) < long {
		_, err = profile.ParseUncompressed(raw)
		check(err)
		parses++
	}
	perParse := (cpuSeconds() - startedCPU) / float64(parses)
	return figures{CPUSecondsPerParse: perParse, RetainedBytes: after - min(before, after)}
}

func heapInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}
