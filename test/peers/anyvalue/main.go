// Command anyvalue prints what the OpenTelemetry Collector makes of attribute values: one hex ExportTraceServiceRequest
// per line on stdin, one JSON array per line on stdout, with the text of every attribute (base64, since it may be no
// UTF-8) in the order resource, spans, their events, their links. A body that the Collector refuses gives {"error": …}.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

type attribute struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		if err := encoder.Encode(describe(lines.Text())); err != nil {
			panic(err)
		}
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
	if err := out.Flush(); err != nil {
		panic(err)
	}
}

func describe(line string) any {
	body, err := hex.DecodeString(line)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	traces, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(body)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	attributes := []attribute{}
	add := func(values pcommon.Map) {
		for key, value := range values.All() {
			attributes = append(attributes, attribute{encode(key), encode(value.AsString())})
		}
	}
	for _, resource := range traces.ResourceSpans().All() {
		add(resource.Resource().Attributes())
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				add(span.Attributes())
				for _, event := range span.Events().All() {
					add(event.Attributes())
				}
				for _, link := range span.Links().All() {
					add(link.Attributes())
				}
			}
		}
	}
	return attributes
}

func encode(text string) string {
	return base64.StdEncoding.EncodeToString([]byte(text))
}
