// The bootstrap program of the confirmer's container image.
package main

import (
	"context"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"trade-processing/examples/settlement/confirmer"
)

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	handler, err := confirmer.New(dynamodb.NewFromConfig(cfg), os.Getenv("TABLE_NAME"))
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(handler)
}
