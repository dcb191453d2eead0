namespace Gateway.Bench.Load;

/// <summary>Values of many callers at once, and their percentiles.</summary>
internal sealed class Distribution
{
    private readonly Lock gate = new();
    private readonly List<double> values = [];
    private bool sorted;

    public int Count
    {
        get
        {
            lock (gate)
            {
                return values.Count;
            }
        }
    }

    public void Add(double value)
    {
        lock (gate)
        {
            values.Add(value);
            sorted = false;
        }
    }

    public double Percentile(double percent)
    {
        lock (gate)
        {
            if (values.Count == 0)
            {
                return double.NaN;
            }

            if (!sorted)
            {
                values.Sort();
                sorted = true;
            }

            return values[Math.Min(values.Count - 1, (int)(values.Count * percent / 100))];
        }
    }

    public int CountBetween(double low, double high)
    {
        lock (gate)
        {
            return values.Count(value => value >= low && value < high);
        }
    }
}
