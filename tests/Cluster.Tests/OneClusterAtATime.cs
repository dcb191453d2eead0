// A cluster is a dozen processes. Two at once would make both slow, and every limit of time a lie.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
