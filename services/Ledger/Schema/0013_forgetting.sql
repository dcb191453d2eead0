-- What a closed edge was booked is forgotten edge by edge.
create index window_edges_by_edge on window_edges (edge_id);
