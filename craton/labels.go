package craton

import (
	"context"
	"net/http"
	"slices"
)

// LabelStore reads and writes the labels of hosts or of network devices; K is the type of their ids.
type LabelStore[K ID] struct {
	client *Client
	path   string
}

type labelBody struct {
	Labels []string `json:"labels"`
}

// Labels reads the device's labels, sorted (the API gives them in any order, contract §2.5).
func (s *LabelStore[K]) Labels(ctx context.Context, id K) ([]string, error) {
	return s.send(ctx, http.MethodGet, id, nil)
}

// AddLabels adds labels to those the device has and returns all of them, sorted.
func (s *LabelStore[K]) AddLabels(ctx context.Context, id K, labels ...string) ([]string, error) {
	return s.send(ctx, http.MethodPut, id, &labelBody{Labels: append([]string{}, labels...)})
}

// RemoveLabels removes labels; labels that the device does not have are ignored.
func (s *LabelStore[K]) RemoveLabels(ctx context.Context, id K, labels ...string) error {
	return s.client.call(ctx, http.MethodDelete, s.route(id), nil, &labelBody{Labels: append([]string{}, labels...)}, nil, "")
}

// SetLabels replaces all labels. The API can only add and remove labels (contract §2.5), so this takes a read and up to
// two writes.
func (s *LabelStore[K]) SetLabels(ctx context.Context, id K, labels ...string) ([]string, error) {
	have, err := s.Labels(ctx, id)
	if err != nil {
		return nil, err
	}
	var surplus, missing []string
	for _, l := range have {
		if !slices.Contains(labels, l) {
			surplus = append(surplus, l)
		}
	}
	for _, l := range labels {
		if !slices.Contains(have, l) && !slices.Contains(missing, l) {
			missing = append(missing, l)
		}
	}
	if len(surplus) > 0 {
		if err := s.RemoveLabels(ctx, id, surplus...); err != nil {
			return nil, err
		}
		have = slices.DeleteFunc(have, func(l string) bool { return slices.Contains(surplus, l) })
	}
	if len(missing) > 0 {
		return s.AddLabels(ctx, id, missing...)
	}
	return have, nil
}

func (s *LabelStore[K]) route(id K) string { return s.path + "/" + idText(id) + "/labels" }

func (s *LabelStore[K]) send(ctx context.Context, method string, id K, body *labelBody) ([]string, error) {
	var out labelBody
	var in any
	if body != nil {
		in = body
	}
	if err := s.client.call(ctx, method, s.route(id), nil, in, &out, "labels"); err != nil {
		return nil, err
	}
	slices.Sort(out.Labels)
	return out.Labels, nil
}
