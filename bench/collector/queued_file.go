package main

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// queuedFileConfig is the file exporter's configuration behind the helper's queue. The contrib file exporter offers no sending
// queue of its own; behind the same helper that gives every network exporter its queue, it is the cheapest way from a
// persistent queue to a file: no second process, no HTTP hop to be counted against the Collector.
type queuedFileConfig struct {
	Queue configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	File  component.Config                                         `mapstructure:"file"`
}

func newQueuedFileFactory() exporter.Factory {
	file := fileexporter.NewFactory()
	return exporter.NewFactory(
		component.MustNewType("queued_file"),
		func() component.Config {
			return &queuedFileConfig{
				Queue: configoptional.Some(exporterhelper.NewDefaultQueueConfig()),
				File:  file.CreateDefaultConfig(),
			}
		},
		exporter.WithTraces(
			func(ctx context.Context, set exporter.Settings, config component.Config) (exporter.Traces, error) {
				return newQueuedFile(ctx, set, config.(*queuedFileConfig), file)
			},
			component.StabilityLevelDevelopment,
		),
	)
}

func newQueuedFile(
	ctx context.Context,
	set exporter.Settings,
	config *queuedFileConfig,
	file exporter.Factory,
) (exporter.Traces, error) {
	inner := set
	inner.ID = component.NewID(file.Type())
	written, err := file.CreateTraces(ctx, inner, config.File)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewTraces(
		ctx,
		set,
		config,
		written.ConsumeTraces,
		exporterhelper.WithQueue(config.Queue),
		exporterhelper.WithRetry(configretry.NewDefaultBackOffConfig()),
		exporterhelper.WithStart(written.Start),
		exporterhelper.WithShutdown(written.Shutdown),
	)
}
