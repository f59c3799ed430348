package main

import (
	"expvar"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof" // mounts /debug/pprof/ on the default mux, as expvar does /debug/vars
	"os"
	"time"
)

// leak is the goroutine that never ends.
func leak(forever chan int) { <-forever }

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	orders := expvar.NewMap("orders")
	go func() {
		for forever := make(chan int); ; time.Sleep(500 * time.Millisecond) {
			go leak(forever)
			orders.Add("leaked", 1)
		}
	}()
	go func() {
		for {
			work(100*time.Millisecond, 1)
			time.Sleep(200 * time.Millisecond)
		}
	}()
	go func() { check(http.Serve(listener, nil)) }()
	fmt.Printf("http://%s\n", listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
