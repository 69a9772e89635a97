// Ridge regression whose penalty Glocal tunes, from the contract alone. GLOCAL_ADDRESS names the trainer (localhost:50061).
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"os"

	pb "example.com/ridge/gen/glocal/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	address := cmp.Or(os.Getenv("GLOCAL_ADDRESS"), "localhost:50061")
	if err := run(context.Background(), address); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, address string) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	client := pb.NewStudyServiceClient(connection)

	study, err := client.CreateStudy(ctx, &pb.CreateStudyRequest{Study: externalStudy()})
	if err != nil {
		return err
	}
	trial, err := startTrial(ctx, client, study.Name+"/trials/0")
	if err != nil {
		return err
	}
	regression := newRidge()
	for trial.ended == nil {
		if err := trial.report(regression.trainWindow(trial.penalty)); err != nil {
			return err
		}
	}
	fmt.Printf("%v: lambda %.4f, best %.4f\n", trial.ended.State, trial.penalty, regression.bestPenalty())
	return nil
}

func externalStudy() *pb.Study {
	penalty := &pb.FloatParameter{Min: 1e-3, Max: 10, Initial: 0.01, Scale: pb.Scale_SCALE_LOG}
	return &pb.Study{
		DisplayName: "ridge regression, Go",
		Mode:        pb.RunMode_RUN_MODE_EXTERNAL,
		Space: &pb.SearchSpace{Parameters: []*pb.Parameter{
			{Name: "lambda", Kind: &pb.Parameter_Float{Float: penalty}},
		}},
		Training: &pb.Training{Steps: windows * window},
		Method:   &pb.Method{Estimator: pb.Estimator_ESTIMATOR_GLOCAL, Window: window, Sigma: sigma},
	}
}

// trial is a conversation about a trial of an external study: hypergradients go out, the values to go on with come back.
type trial struct {
	stream    pb.StudyService_ReportHypergradientsClient
	outerStep int32
	// penalty to train with. It moves at the end of each window.
	penalty float64
	// ended is the trial once it has ended.
	ended *pb.Trial
}

func startTrial(ctx context.Context, client pb.StudyServiceClient, name string) (*trial, error) {
	stream, err := client.ReportHypergradients(ctx)
	if err != nil {
		return nil, err
	}
	t := &trial{stream: stream}
	start := &pb.ReportHypergradientsRequest_Start{Start: &pb.ReportStart{Trial: name}}
	answer, err := t.ask(&pb.ReportHypergradientsRequest{Request: start})
	if err != nil {
		return nil, err
	}
	position := answer.GetPosition()
	t.outerStep, t.penalty = position.GetOuterStep(), valueOf(position.GetValues())
	return t, nil
}

// ask sends a request and waits for the answer to it. What is wrong with a call that was closed is what it answers.
func (t *trial) ask(request *pb.ReportHypergradientsRequest) (*pb.ReportHypergradientsResponse, error) {
	if err := t.stream.Send(request); err != nil && err != io.EOF {
		return nil, err
	}
	answer, err := t.stream.Recv()
	if ended := answer.GetEnded(); ended != nil {
		return nil, fmt.Errorf("the trial has ended: %s", ended.StateReason)
	}
	return answer, err
}

// report reports a whole window. The trial has the values to go on with then.
func (t *trial) report(result trained) error {
	var rows bytes.Buffer
	if err := binary.Write(&rows, binary.LittleEndian, result.hypergradients); err != nil {
		return err
	}
	report := &pb.Report{
		OuterStep:      t.outerStep,
		Hypergradients: rows.Bytes(),
		TrainLoss:      &result.trainLoss,
		Validation:     &pb.Evaluation{Loss: result.validationLoss, Examples: points},
	}
	request := &pb.ReportHypergradientsRequest_Report{Report: report}
	answer, err := t.ask(&pb.ReportHypergradientsRequest{Request: request})
	if err != nil {
		return err
	}
	outerStep := answer.GetOuterStep()
	t.outerStep, t.penalty = outerStep.GetIndex()+1, valueOf(outerStep.GetNextValues())
	if outerStep.GetStep() < windows*window {
		return nil
	}
	last, err := t.stream.Recv()
	if err != nil {
		return err
	}
	t.ended = last.GetEnded()
	return t.stream.CloseSend()
}

// valueOf the penalty, which is the only parameter.
func valueOf(values []*pb.ParameterValue) float64 { return values[0].Value }
