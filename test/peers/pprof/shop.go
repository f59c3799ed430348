package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sort"
	"strings"
	"sync"
	"time"
)

type order struct {
	ID    int
	Items []string
	Meta  map[string]string
}

func makeOrder(id int) *order {
	made := &order{ID: id, Meta: map[string]string{}}
	for i := range 20 {
		made.Items = append(made.Items, fmt.Sprintf("item-%d-%d", id, i))
		made.Meta[fmt.Sprint(i)] = strings.Repeat("x", i)
	}
	return made
}

func process(made *order) [32]byte {
	encoded, err := json.Marshal(made)
	check(err)
	var back order
	check(json.Unmarshal(encoded, &back))
	sort.Strings(back.Items)
	return sha256.Sum256(bytes.Repeat(encoded, 20))
}

func each[T any](items []T, do func(T)) {
	for _, item := range items {
		do(item)
	}
}

// walk calls do at the end of one of 2^depth call paths, so that there are as many stacks.
func walk(path, depth int, do func()) {
	if depth == 0 {
		do()
	} else if path%2 == 0 {
		left(path/2, depth-1, do)
	} else {
		right(path/2, depth-1, do)
	}
}

//go:noinline
func left(path, depth int, do func()) { walk(path, depth, do) }

//go:noinline
func right(path, depth int, do func()) { walk(path, depth, do) }

var kept [][]byte

// work is busy for a while on two goroutines, over paths of the given depth.
func work(long time.Duration, depth int) {
	var workers sync.WaitGroup
	end := time.Now().Add(long)
	for worker := range 2 {
		workers.Go(func() {
			for i := worker; time.Now().Before(end); i += 2 {
				walk(i, depth, func() { each([]*order{makeOrder(i)}, func(made *order) { process(made) }) })
			}
		})
	}
	workers.Wait()
}

func makeProfiles(dir string) {
	check(os.MkdirAll(dir, 0o755))
	create := func(name string) *os.File {
		file, err := os.Create(filepath.Join(dir, name+".pb.gz"))
		check(err)
		return file
	}
	write := func(name, profile string) {
		file := create(name)
		check(pprof.Lookup(profile).WriteTo(file, 0))
		check(file.Close())
	}
	profileCPU := func(name string, long time.Duration, depth int) {
		file := create(name)
		check(pprof.StartCPUProfile(file))
		work(long, depth)
		pprof.StopCPUProfile()
		check(file.Close())
	}
	// A leak and some patient goroutines.
	forever := make(chan int)
	for i := range 50 {
		go func() { <-forever }()
		go func() { walk(i, 3, func() { <-forever }) }()
		go func() { time.Sleep(time.Hour) }()
	}
	time.Sleep(100 * time.Millisecond)
	write("goroutine", "goroutine")
	profileCPU("cpu", 2*time.Second, 1)
	write("heap", "heap")
	for i := range 8192 {
		go walk(i, 13, func() { <-forever })
	}
	time.Sleep(time.Second)
	write("goroutine-large", "goroutine")
	runtime.MemProfileRate = 512
	for i := range 8192 {
		walk(i, 13, func() { kept = append(kept, make([]byte, 4096)) })
	}
	runtime.GC()
	write("heap-large", "heap")
	profileCPU("cpu-large", 10*time.Second, 8)
}
