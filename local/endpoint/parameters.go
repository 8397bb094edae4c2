package endpoint

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

var parameterOperations = map[string]operation{"GetParametersByPath": serve((*Endpoint).getParametersByPath)}

func (e *Endpoint) getParametersByPath(ctx context.Context, region string, in ssm.GetParametersByPathInput) (any, error) {
	return e.cloud.Services(region).SSM.GetParametersByPath(ctx, &in)
}
