// go-shop is a small shop of three services that call one another over HTTP, with the load that keeps them busy:
//
//	go-shop inventory  -listen 127.0.0.1:8082 -admin 127.0.0.1:6062
//	go-shop checkout   -listen 127.0.0.1:8081 -admin 127.0.0.1:6061 -inventory http://127.0.0.1:8082
//	go-shop storefront -listen 127.0.0.1:8080 -admin 127.0.0.1:6060 -checkout http://127.0.0.1:8081 -inventory http://127.0.0.1:8082
//	go-shop load       -target http://127.0.0.1:8080 -rate 60
//
// Traces go where OTEL_EXPORTER_OTLP_ENDPOINT says. Every process stops in order on SIGTERM or SIGINT.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"heliograph/examples/go-shop/internal/checkout"
	"heliograph/examples/go-shop/internal/inventory"
	"heliograph/examples/go-shop/internal/load"
	"heliograph/examples/go-shop/internal/storefront"
)

var commands = map[string]func(ctx context.Context, args []string) error{
	"inventory":  inventory.Run,
	"checkout":   checkout.Run,
	"storefront": storefront.Run,
	"load":       load.Run,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: go-shop storefront|checkout|inventory|load [flags]; -h after a command lists its flags")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := commands[os.Args[1]](ctx, os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "go-shop %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}
