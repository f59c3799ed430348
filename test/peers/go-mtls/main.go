// Sends spans through the OpenTelemetry Go SDK over mutual TLS, each call with the token that the file holds at that moment.
// Usage: go-mtls grpc|http <host:port> <ca.crt> <client.crt|-> <client.key|-> <token file|->, and prints "ok" or the reason.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

const spans = 20

// perCall reads the token for every call, as a sidecar would renew it.
type perCall struct{ file string }

func (p perCall) token() (string, error) {
	text, err := os.ReadFile(p.file)
	return "Bearer " + strings.TrimSpace(string(text)), err
}

func (p perCall) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := p.token()
	return map[string]string{"authorization": token}, err
}

func (p perCall) RequireTransportSecurity() bool { return true }

func (p perCall) RoundTrip(request *http.Request) (*http.Response, error) {
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", token)
	return p.base().RoundTrip(request)
}

func (p perCall) base() http.RoundTripper { return transport }

var transport *http.Transport

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func run(args []string) error {
	kind, address, caFile, certFile, keyFile, tokenFile := args[0], args[1], args[2], args[3], args[4], args[5]
	config, err := tlsConfig(caFile, certFile, keyFile)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	exporter, err := newExporter(ctx, kind, address, config, tokenFile)
	if err != nil {
		return err
	}
	res := resource.NewSchemaless(attribute.String("service.name", "go-mtls-"+kind))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res))
	tracer := provider.Tracer("peer")
	for i := 0; i < spans; i++ {
		_, span := tracer.Start(ctx, "GET /mtls", trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attribute.String("http.route", "/mtls")))
		span.End()
	}
	if err := provider.ForceFlush(ctx); err != nil {
		return err
	}
	return provider.Shutdown(ctx)
}

func tlsConfig(caFile, certFile, keyFile string) (*tls.Config, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	if certFile == "-" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	// Shown whatever authorities the server names: it must be the server that refuses it.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return config, nil
}

func newExporter(ctx context.Context, kind, address string, config *tls.Config, tokenFile string) (*otlptrace.Exporter, error) {
	if kind == "grpc" {
		options := []otlptracegrpc.Option{
			otlptracegrpc.WithEndpoint(address),
			otlptracegrpc.WithTLSCredentials(credentials.NewTLS(config)),
			otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: false}),
			otlptracegrpc.WithTimeout(5 * time.Second),
		}
		if tokenFile != "-" {
			options = append(options, otlptracegrpc.WithDialOption(grpc.WithPerRPCCredentials(perCall{tokenFile})))
		}
		return otlptracegrpc.New(ctx, options...)
	}
	options := []otlptracehttp.Option{
		otlptracehttp.WithEndpoint(address),
		otlptracehttp.WithTLSClientConfig(config),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}),
	}
	if tokenFile != "-" {
		transport = &http.Transport{TLSClientConfig: config}
		options = append(options, otlptracehttp.WithHTTPClient(&http.Client{Transport: perCall{tokenFile}}))
	}
	return otlptracehttp.New(ctx, options...)
}
