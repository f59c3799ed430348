package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

const (
	callTimeout  = 10 * time.Second
	dialPatience = 3 * time.Second
	dialPause    = 20 * time.Millisecond
)

// Client calls another service of the shop.
type Client struct {
	base string
	http *http.Client
}

// StatusError is an answer other than 2xx.
type StatusError struct {
	Status int
	Reason string
}

func (e *StatusError) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Reason) }

// NewClient makes a client of the service at base, such as http://127.0.0.1:8082.
func NewClient(base string) *Client {
	transport := &http.Transport{DialContext: patientDial, MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}
	traced := otelhttp.NewTransport(transport, otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
		return r.Method + " " + r.URL.Host
	}))
	return &Client{base: base, http: &http.Client{Transport: traced, Timeout: callTimeout}}
}

// Get reads JSON from path into answer.
func (c *Client) Get(ctx context.Context, path string, answer any) error {
	return c.call(ctx, http.MethodGet, path, nil, answer)
}

// Post sends question as JSON and reads the answer.
func (c *Client) Post(ctx context.Context, path string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, path, bytes.NewReader(body), answer)
}

func (c *Client) call(ctx context.Context, method, path string, body io.Reader, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		var said struct{ Error string }
		_ = json.NewDecoder(response.Body).Decode(&said)
		return &StatusError{Status: response.StatusCode, Reason: said.Error}
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// PassOn answers a request with what became of a call that it needed: the same status for what the caller did wrong, 502
// for everything else.
func PassOn(w http.ResponseWriter, err error) {
	var status *StatusError
	if errors.As(err, &status) && status.Status < 500 {
		WriteError(w, status.Status, status.Reason)
		return
	}
	WriteError(w, http.StatusBadGateway, err.Error())
}

// patientDial waits out the moment in which a service restarts: nothing has been sent yet, so trying again is safe.
func patientDial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: time.Second}
	deadline := time.Now().Add(dialPatience)
	for {
		connection, err := dialer.DialContext(ctx, network, address)
		if !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(deadline) {
			return connection, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(dialPause):
		}
	}
}
