// Sends spans of a bimodal load through the OpenTelemetry Go SDK, configured by OTEL_EXPORTER_OTLP_* alone (its protocol picks
// the exporter), and prints the
// duration of each span in nanoseconds, one a line, so that the test can compute the exact percentiles.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"math"
	"math/rand"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const spans = 5000

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	exporter, err := newExporter(ctx)
	if err != nil {
		return err
	}
	res, err := resource.New(ctx, resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		return err
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithMaxQueueSize(spans), sdktrace.WithBlocking()),
		sdktrace.WithResource(res),
	)
	otel.SetTracerProvider(provider)
	send(ctx, provider.Tracer("peer"))
	if err := provider.ForceFlush(ctx); err != nil {
		return err
	}
	return provider.Shutdown(ctx)
}

func newExporter(ctx context.Context) (*otlptrace.Exporter, error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc" {
		return otlptracegrpc.New(ctx)
	}
	return otlptracehttp.New(ctx)
}

func send(ctx context.Context, tracer trace.Tracer) {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	random := rand.New(rand.NewSource(1))
	for i := 0; i < spans; i++ {
		median := 2e6 // a cache hit
		if random.Float64() < 0.1 {
			median = 3e8 // a miss
		}
		duration := time.Duration(median * math.Exp(random.NormFloat64()*0.3))
		start := time.Now().Add(-time.Second)
		_, span := tracer.Start(ctx, "GET",
			trace.WithSpanKind(trace.SpanKindServer),
			trace.WithTimestamp(start),
			trace.WithAttributes(
				attribute.String("http.route", "/go/{id}"),
				attribute.Int("http.response.status_code", 200),
				attribute.Bool("cache.hit", median < 1e7),
				attribute.Float64("sample.weight", 0.25),
				attribute.StringSlice("shard.names", []string{"a", "b"}),
			),
		)
		span.End(trace.WithTimestamp(start.Add(duration)))
		fmt.Fprintln(out, duration.Nanoseconds())
	}
}
