// Package cost computes what a stack costs: from what it deploys, what a run of the sample writes, and a table of prices.
package cost

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
)

// Looked is the day on which the prices were looked up.
const Looked = "2026-11-26"

// Price is an on-demand price of AWS in USD, without free tiers, discounts and taxes.
type Price struct {
	Name   string  `json:"name"`
	Region string  `json:"region"`
	USD    float64 `json:"usd"`
	Per    string  `json:"per"`
	Source string  `json:"source"` // AWS's page

	// Seen says where the figure was read: "aws" in a copy of that page; "quoted" in what others write of it, as AWS's pages
	// load most figures later and copies lack them; "unchecked" nowhere, but it is what this project has long used.
	Seen string `json:"seen"`
}

// home is the region of the prices that have no other.
const home = "us-east-1"

//go:embed prices.csv
var table string

// Prices returns the table, in its order.
func Prices() ([]Price, error) {
	records, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading the prices: %w", err)
	}
	var prices []Price
	for _, r := range records[1:] {
		usd, err := strconv.ParseFloat(r[2], 64)
		if err != nil {
			return nil, fmt.Errorf("reading the price %s: %w", r[0], err)
		}
		prices = append(prices, Price{Name: r[0], Region: r[1], USD: usd, Per: r[3], Source: r[4], Seen: r[5]})
	}
	return prices, nil
}

// priceOf returns a price in a region, or where it isn't known in us-east-1.
func priceOf(prices []Price, name, region string) Price {
	var found Price
	for _, p := range prices {
		if p.Name == name && (p.Region == region || p.Region == home && found.Name == "") {
			found = p
		}
	}
	if found.Name == "" {
		panic("there is no price of " + name)
	}
	return found
}
