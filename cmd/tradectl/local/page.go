package local

import (
	"context"

	"trade-processing/internal/console"
	"trade-processing/internal/operate"
	"trade-processing/internal/outfile"
	"trade-processing/local/endpoint"
)

// writePage writes the console's views of the stack. They ask this process's cloud as they would ask AWS, but without a
// network.
func writePage(ctx context.Context, file *outfile.File, d *deployed) error {
	text, err := d.outputs.JSON()
	if err != nil {
		return err
	}
	read, err := operate.ReadOutputs(text)
	if err != nil {
		return err
	}
	stack := &operate.Stack{Outputs: read, Config: endpoint.New(d.cloud, &endpoint.Logs{}).Config(read.Region)}
	if err := console.WriteFile(ctx, file, stack, "trade-processing "+read.Environment); err != nil {
		return err
	}
	return file.Commit()
}
