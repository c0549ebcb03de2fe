// Go's own resolver. Prints the addresses; exit code 2 and the reason if there are none.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
)

func main() {
	resolver := net.Resolver{PreferGo: true}
	addresses, err := resolver.LookupHost(context.Background(), os.Args[1])
	var fault *net.DNSError
	if errors.As(err, &fault) {
		fmt.Fprintln(os.Stderr, fault.Err)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	for _, address := range addresses {
		fmt.Println(address)
	}
}
