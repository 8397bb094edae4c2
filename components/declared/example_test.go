package declared_test

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"trade-processing/components/declared"
)

// Testing a program with an address and a function call that the components don't have.
func Example() {
	program := func(ctx *pulumi.Context) error {
		image, err := ec2.LookupAmi(ctx, &ec2.LookupAmiArgs{MostRecent: pulumi.BoolRef(true)})
		if err != nil {
			return err
		}
		gate, err := ec2.NewEip(ctx, "gate", nil)
		if err != nil {
			return err
		}
		_, err = sqs.NewQueue(ctx, "orders", &sqs.QueueArgs{Tags: pulumi.StringMap{"Gate": gate.PublicIp, "Image": pulumi.String(image.Id)}})
		return err
	}
	stack, err := declared.Declare(declared.Program{
		Run: program,
		Computed: func(r *declared.Resource) map[string]any {
			if r.Type == "aws:ec2/eip:Eip" {
				return map[string]any{"publicIp": "203.0.113.7"}
			}
			return nil
		},
		Answers: map[string]map[string]any{"aws:ec2/getAmi:getAmi": {"id": "ami-0123456789abcdef0"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	queue, err := stack.Find("aws:sqs/queue:Queue", "orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(queue.Text("tags.Gate"), queue.Text("tags.Image"))
	// Output: 203.0.113.7 ami-0123456789abcdef0
}
