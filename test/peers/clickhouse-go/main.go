// Asks Heliograph's /clickhouse/ what Grafana's data source asks, with the driver that it is built on, and prints one JSON
// object: what the hello said, each value of one typed row, the error of a refused statement, and rows and columns of every
// given query.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

type input struct {
	Address  string  `json:"address"`
	Path     string  `json:"path"`
	Password string  `json:"password"`
	Typed    string  `json:"typed"`
	Refused  string  `json:"refused"`
	Queries  []query `json:"queries"`
}

type query struct {
	Name string `json:"name"`
	SQL  string `json:"sql"`
}

type column struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

type failure struct {
	Typed bool   `json:"typed"`
	Code  int32  `json:"code"`
	Text  string `json:"text"`
}

type ran struct {
	Name    string   `json:"name"`
	Rows    int      `json:"rows"`
	Columns []string `json:"columns"`
	Error   string   `json:"error,omitempty"`
}

type output struct {
	Server  string   `json:"server"`
	Typed   []column `json:"typed"`
	Refused failure  `json:"refused"`
	Denied  failure  `json:"denied"`
	Queries []ran    `json:"queries"`
}

func main() {
	var in input
	check(json.NewDecoder(os.Stdin).Decode(&in))
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()

	conn := open(in, in.Password)
	check(conn.Ping(ctx))
	server, err := conn.ServerVersion()
	check(err)
	out := output{Server: fmt.Sprintf("%s %s %d %s", server.DisplayName, server.Version.String(), server.Revision, server.Timezone)}
	out.Typed = typed(ctx, conn, in.Typed)
	out.Refused = failed(conn.QueryRow(ctx, in.Refused).Err())
	out.Denied = failed(open(in, "not the "+in.Password).Ping(ctx))
	for _, q := range in.Queries {
		out.Queries = append(out.Queries, run(ctx, conn, q))
	}
	check(json.NewEncoder(os.Stdout).Encode(out))
}

func open(in input, password string) clickhouse.Conn {
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{in.Address},
		HttpUrlPath: in.Path,
		Auth:        clickhouse.Auth{Database: "boards", Username: "grafana", Password: password},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionGZIP},
		Settings:    clickhouse.Settings{"max_execution_time": 35, "limit": 1000, "async_insert": 1},
		DialTimeout: 10 * time.Second,
	})
	check(err)
	return conn
}

// typed scans the one row of a statement into the types the driver itself gives its columns.
func typed(ctx context.Context, conn clickhouse.Conn, sql string) []column {
	rows, err := conn.Query(ctx, sql)
	check(err)
	defer rows.Close()
	if !rows.Next() {
		check(fmt.Errorf("no row: %w", rows.Err()))
	}
	values := targets(rows.ColumnTypes())
	check(rows.Scan(values...))
	var columns []column
	for i, kind := range rows.ColumnTypes() {
		text, err := json.Marshal(reflect.ValueOf(values[i]).Elem().Interface())
		check(err)
		columns = append(columns, column{Name: kind.Name(), Type: kind.DatabaseTypeName(), Value: string(text)})
	}
	return columns
}

func run(ctx context.Context, conn clickhouse.Conn, q query) ran {
	result := ran{Name: q.Name}
	rows, err := conn.Query(ctx, q.SQL)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	defer rows.Close()
	for _, kind := range rows.ColumnTypes() {
		result.Columns = append(result.Columns, kind.Name()+" "+kind.DatabaseTypeName())
	}
	values := targets(rows.ColumnTypes())
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			result.Error = err.Error()
			return result
		}
		result.Rows++
	}
	if err := rows.Err(); err != nil {
		result.Error = err.Error()
	}
	return result
}

type scanned interface{ ScanType() reflect.Type }

func targets[T scanned](kinds []T) []any {
	values := make([]any, len(kinds))
	for i, kind := range kinds {
		values[i] = reflect.New(kind.ScanType()).Interface()
	}
	return values
}

func failed(err error) failure {
	if err == nil {
		return failure{}
	}
	var exception *clickhouse.Exception
	if errors.As(err, &exception) {
		return failure{Typed: true, Code: exception.Code, Text: exception.Message}
	}
	return failure{Text: err.Error()}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
